// The OpenAPI document, from the table of routes.
import { VERSION } from '../../version.ts';
import type { Parameter } from './parameters.ts';
import type { Route } from './routes.ts';
import { SCHEMAS } from './schemas.ts';

const ERROR = { description: 'What was wrong.', content: json('Error') };

/** The document. https://spec.openapis.org/oas/v3.1.0 */
export function openApi(routes: readonly Route[]): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'toolspan viewer',
      version: VERSION,
      description: 'What the page of the viewer uses. Times are ms since the epoch, offsets within a trace are ns.',
    },
    paths: {
      ...Object.fromEntries(routes.map((route) => [route.path, { get: operation(route) }])),
      '/api/traces/{traceId}/share': {
        get: {
          summary: 'One trace as an HTML file that needs no server.',
          parameters: [{ name: 'traceId', in: 'path', required: true, schema: { type: 'string' } }],
          responses: { 200: { description: 'The file.', content: { 'text/html': {} } }, 404: ERROR },
        },
      },
      '/api/events': {
        get: {
          summary: 'Server-sent events named `change`: that something came, and of which traces.',
          responses: {
            200: { description: 'The stream.', content: { 'text/event-stream': { schema: reference('Change') } } },
          },
        },
      },
      '/api/data': {
        delete: { summary: 'Forgets everything.', responses: { 204: { description: 'It is forgotten.' } } },
      },
    },
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The token of the printed address.' },
      },
    },
    security: [{ token: [] }],
  };
}

function operation({ summary, parameters, answers }: Route): object {
  return {
    summary,
    parameters: parameters.map(parameterOf),
    responses: { 200: { description: 'The answer.', content: json(answers) }, 400: ERROR, 404: ERROR },
  };
}

function parameterOf({ name, in: place, description, schema, repeated = false }: Parameter): object {
  return {
    name,
    in: place,
    description,
    required: place === 'path',
    schema: repeated ? { type: 'array', items: schema } : schema,
  };
}

function json(schema: string): object {
  return { 'application/json': { schema: reference(schema) } };
}

function reference(schema: string): object {
  return { $ref: `#/components/schemas/${schema}` };
}

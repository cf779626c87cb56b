// As much of JSON Schema as the OpenAPI document uses.

type Schema = Readonly<Record<string, unknown>>;

/** What of a value is not as the schema says, each with its place. */
export function schemaProblems(
  schema: Schema,
  value: unknown,
  all: Readonly<Record<string, Schema>>,
  path = '$',
): string[] {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const target = all[reference.split('/').at(-1) ?? ''];
    return target === undefined ? [`${path}: no schema ${reference}`] : schemaProblems(target, value, all, path);
  }
  const types = [schema['type']].flat().filter((type) => typeof type === 'string');
  if (types.length > 0 && !types.some((type) => isOf(type, value))) {
    return [`${path}: expected ${types.join(' or ')}, got ${JSON.stringify(value)?.slice(0, 60)}`];
  }
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return [`${path}: not one of the values`];
  if (Array.isArray(value)) {
    const items = schema['items'] as Schema | undefined;
    return items === undefined
      ? []
      : value.flatMap((entry, index) => schemaProblems(items, entry, all, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return [];
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
  const required = (schema['required'] ?? []) as readonly string[];
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${path}.${name}: missing`);
  const others = Object.entries(value).flatMap(([name, entry]) => {
    const known = properties[name];
    if (known !== undefined) return schemaProblems(known, entry, all, `${path}.${name}`);
    const more = schema['additionalProperties'];
    if (more === false) return [`${path}.${name}: not in the schema`];
    return typeof more === 'object' && more !== null
      ? schemaProblems(more as Schema, entry, all, `${path}.${name}`)
      : [];
  });
  return [...missing, ...others];
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

// What most tools of the demo answer with.

/** A tool result of one text. */
export const text = (value: string): { content: [{ type: 'text'; text: string }] } => ({
  content: [{ type: 'text', text: value }],
});

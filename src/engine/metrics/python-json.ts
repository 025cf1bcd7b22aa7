/** A string, even one without an end, or a word that is no JSON. */
const STRING_OR_WORD = /"[^"\\]*(?:\\.[^"\\]*)*"?|-?\b(?:NaN|Infinity)\b/gs;

/**
 * Parses JSON, also as Python's `json` writes it by default: `NaN`, `Infinity` and `-Infinity` stand there as bare
 * words, which JSON does not have. They become strings. Throws like `JSON.parse`.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const quoted = text.replace(STRING_OR_WORD, found => (found.startsWith('"') ? found : `"${found}"`));
    if (quoted === text) throw error;
    return JSON.parse(quoted);
  }
}

// The key that is meant, whatever the keyboard writes: on a Russian or Kazakh layout the place of the key counts.

const SIGNS = { Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Period: ".", Comma: ",", Slash: "/" };

export function keyOf(event) {
  if (event.key.length > 1 || /^[\x20-\x7e]$/.test(event.key)) return event.key;
  const { code } = event;
  if (code.startsWith("Key")) return event.shiftKey ? code[3] : code[3].toLowerCase();
  return code.startsWith("Digit") ? code[5] : SIGNS[code] ?? event.key;
}

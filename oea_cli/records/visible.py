"""Text from anywhere, as one line that a terminal, a page or a CI log can be shown."""

import re

COMMANDING = (
    "\x00-\x1f\x7f-\x9f"  # C0 and C1: colours, cursor, bell, line ends
    "\u2028\u2029"  # line and paragraph separators
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of what follows
    "\ud800-\udfff"  # bytes of a name that are not UTF-8
)
"""Characters that command instead of showing, for a regular expression's brackets."""

# GitHub reads ##[command] anywhere in a line of a job's log.
_FOUND = re.compile(rf"[{COMMANDING}]|##(?=\[)")


def visible(text: str) -> str:
    r"""The text with each character that commands instead of showing written out, as `\x1b`.

    Line ends are among them, so what comes back is one line. Joiners and marks that scripts need
    stay as they are.
    """
    return _FOUND.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    if found[0] == "##":
        return "#\\x23"
    code = ord(found[0])
    if found[0] in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[found[0]]
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries such a byte
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

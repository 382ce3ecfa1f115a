"""A page as one document that contains its style and script, allowed by their hashes."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WebPage:
    """The HTML, and a content security policy that allows only what the HTML contains."""

    html: str
    policy: str


def read_page(folder: Path) -> WebPage:
    """Put `page.css` and `page.js` into `page.html` of a folder, at {{style}} and {{script}}."""
    html, style, script = (
        (folder / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "connect-src 'self'; media-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return WebPage(html.replace("{{style}}", style).replace("{{script}}", script), policy)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"

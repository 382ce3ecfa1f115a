"""Results as JSON, and what is rendered from them: tables, Markdown, JUnit, MTEB, HTML."""

"""Who is relevant to a query, which clips compete, and what a metric must keep."""

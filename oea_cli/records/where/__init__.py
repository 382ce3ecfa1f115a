"""The small language of conditions over records: tokens, a tree, and the rows that fulfil it."""

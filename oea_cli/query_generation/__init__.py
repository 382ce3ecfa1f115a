"""User-intent queries from captions: written by a grammar, a model or a server, checked by rules.

The paper's benchmark (UIQ) has five types of queries; its generator is not public. Here the rules
are code: a query that breaks one is requested again with the reason, and set aside when it still
breaks one.
"""

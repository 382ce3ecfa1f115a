"""The exact scan: blocks of rows against all queries, for the best k, ranks, or neighbours."""

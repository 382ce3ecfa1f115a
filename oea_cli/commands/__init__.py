"""One thin file per verb; a verb turns options into calls on the domain modules."""

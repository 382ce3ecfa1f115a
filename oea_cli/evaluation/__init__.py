"""How well a system retrieves: judged rankings -> results."""

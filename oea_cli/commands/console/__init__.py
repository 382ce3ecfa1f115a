"""What a person sees and types at the terminal, beside the verbs' own options."""

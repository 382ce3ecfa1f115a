"""What a person sees and hears: tables, progress, failed inputs, a player."""

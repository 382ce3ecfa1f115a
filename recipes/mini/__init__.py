"""How the built-in encoder `mini` was made: sounds and sentences from nothing. Not in the wheel."""

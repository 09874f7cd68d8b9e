"""Who judges, by what values, and what they said."""

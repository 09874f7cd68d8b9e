"""The pages of managers and researchers, which look at every other application."""

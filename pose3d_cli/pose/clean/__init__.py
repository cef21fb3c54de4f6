"""Motion made better when all of it is known: one step a file, each from a motion to a motion."""

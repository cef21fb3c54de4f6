"""People who walk past each other, to measure how well identities hold."""

"""The report of a reproduction: pure functions from run files to results, pictures, Markdown and one HTML page."""

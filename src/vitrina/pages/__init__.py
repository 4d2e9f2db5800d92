"""Pages: a card's report as one self-contained HTML file."""

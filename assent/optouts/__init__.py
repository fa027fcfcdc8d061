"""Machine-readable opt-outs of sites, pages and images: text in, signals out; nothing here fetches, and no signal ever permits."""

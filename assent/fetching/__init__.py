"""Fetches from the open web under guard: public addresses only, everything capped; shared by whoever must read a site."""

"""What codes mean, in plain English and French, for people; nothing here decides, and no decision reads it."""

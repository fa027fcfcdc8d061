"""How images come in from producers: signed records, known producers, their own quarantine; never consent or evidence."""

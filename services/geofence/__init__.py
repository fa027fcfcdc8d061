"""Where may this be: the first filter behind the fetch."""

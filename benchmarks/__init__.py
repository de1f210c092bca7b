"""Speed, as ratios measured in one process. Never part of the test run."""

"""The clauses that bind the panel, as data, and the page docs/conformance.md that says which tests show each."""

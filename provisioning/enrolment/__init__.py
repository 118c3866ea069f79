"""A panel's first certificate: `fenghuo enroll` and what it is made of (docs/enrolment.md)."""

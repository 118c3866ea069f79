"""The version of this software, as records, welcome messages and the package carry it."""

VERSION = "0.1.0"

"""The mirror: the panel's journals on a second medium, record by record, enough to restore the panel from.

A child of core copies (`firmware.mirror.child`): a stick that hangs takes this process with it, and nothing else. A
mirror is a folder of journal files as core writes them, one for each journal, with the panel file and the public key;
`fenghuo journal verify` proves it, `fenghuo restore` brings a panel back from it. No private key ever goes there.
"""

"""Protocols tried in virtual patients, in blocks, here or on a cluster."""

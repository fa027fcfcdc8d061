"""What tests of every package share: real things made small; never imported by a service."""

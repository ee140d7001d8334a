"""Hidden tests whose answer is known, run through the path of every edition: what is not caught keeps the edition back."""

from gazette.canaries._certificate import FILE, Canary, Certificate, Count, Smallest, read_certificate
from gazette.canaries._run import SURE, certify

__all__ = ["FILE", "SURE", "Canary", "Certificate", "Count", "Smallest", "certify", "read_certificate"]

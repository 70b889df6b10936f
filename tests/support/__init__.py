"""What several test files share: small models, photographs, oracles, a printer of syntax."""

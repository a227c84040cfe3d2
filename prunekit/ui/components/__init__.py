"""What runs in the browser: small components with JavaScript of their own."""

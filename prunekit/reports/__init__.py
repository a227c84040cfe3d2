"""What is told about runs: tables, figures, live curves and recipes in words. Neither Streamlit nor torch."""

"""Everything Streamlit that pages share: frame, state, engine, forms, panels, components."""

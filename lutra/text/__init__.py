"""Text for transformer encoders: tokens, embeddings, and encoders as ONNX models."""

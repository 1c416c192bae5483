"""What the conformance tests are put together from: the checklist, and foreign clients that are pointed at a simulated org."""

#undef INSTRUCTIONS
#undef TARGET
#undef BYTES
#undef ROWS
#undef MIN_SINGLE
#undef MAX_SINGLE
#undef MIN_DOUBLE
#undef MAX_DOUBLE

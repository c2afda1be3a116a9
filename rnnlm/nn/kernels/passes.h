/* The name of an instruction set of this processor by its rank, the best 0; NULL past the last. */
const char *instruction_set_called(int rank);

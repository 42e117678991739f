-- The first phase of a two-phase commit: the transaction keeps its locks until somebody decides.
PREPARE TRANSACTION 'a-transfer'

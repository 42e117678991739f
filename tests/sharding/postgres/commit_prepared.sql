-- The second phase.
COMMIT PREPARED 'a-transfer'

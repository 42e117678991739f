package stock;

/** To start again does not help: another log, or a record that we cannot read. */
final class NeedsAPerson extends RuntimeException {
    private static final long serialVersionUID = 1;

    NeedsAPerson(String message) {
        super(message);
    }

    NeedsAPerson(String message, Throwable cause) {
        super(message, cause);
    }
}

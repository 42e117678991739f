package stock;

/** Our offsets mean nothing in these topics. Versions do, so we can read them from the beginning. */
final class TopicsMadeAgain extends RuntimeException {
    private static final long serialVersionUID = 1;

    TopicsMadeAgain(String message) {
        super(message);
    }
}

// The domain as Emmett's documentation writes it: events, a state folded from them, and functions that decide.

export const streamOf = (productId) => `product-${productId}`;
export const productIdOf = (streamName) => streamName.slice("product-".length);

export const initialState = () => ({ status: "none" });

export const evolve = (state, { type, data }) => {
  switch (type) {
    case "ProductCreated":
      return { status: "created", amount: data.amount };
    case "PriceChanged":
      return { ...state, amount: data.amount };
    default:
      return state;
  }
};

export const create = (product) => () => ({ type: "ProductCreated", data: product });

export const changePrice = (amount) => (state) =>
  state.status === "none" || state.amount === amount ? [] : [{ type: "PriceChanged", data: { amount } }];

/* Price formats of the live chart: price0 ... price8 write that many decimals, with thousands separators. */
window.dashTvlwcFunctions = Object.assign({}, window.dashTvlwcFunctions);
for (let decimals = 0; decimals <= 8; decimals += 1) {
    const format = new Intl.NumberFormat("en-US", {minimumFractionDigits: decimals, maximumFractionDigits: decimals});
    window.dashTvlwcFunctions["price" + decimals] = (price) => format.format(price);
}

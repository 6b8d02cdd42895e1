/* The page "Rehearsal": a phone begins with the switches folded, but for the first group. */
(function () {
    window.setInterval(() => {
        const groups = document.querySelector(".rh-groups");
        if (!groups || groups.dataset.folded) return;
        groups.dataset.folded = "yes";
        if (window.innerWidth > 700) return;
        groups.querySelectorAll("details").forEach((group, i) => { group.open = i === 0; });
    }, 300);
})();

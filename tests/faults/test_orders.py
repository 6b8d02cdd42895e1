"""Rows 1 to 10 and 40 to 42: what became of an order, when nobody says, or says it twice, late or wrongly."""

from __future__ import annotations

from tests.faults.catalogue import fault
from tests.faults.scene import Scene, until


@fault(1)
def test_lost_reply_is_asked_for_within_two_seconds_and_the_order_is_never_sent_again(scene: Scene):
    scene.wrong("drop_reply", count=1)
    scene.buy()
    assert scene.struck("drop_reply") == 1
    assert len([o for o in scene.orders("BUY")]) == 1
    scene.assert_books_equal()

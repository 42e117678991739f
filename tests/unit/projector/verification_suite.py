"""What the store of verifications must do, for each adapter."""

import pytest

from projector.rebuild.verify_ports import Known, Verifications, Verified

NAME, OTHER = "product_view", "inventory"


def _found(differences: int, projection: str = NAME) -> Verified:
    return Verified(projection, 900, 31, 92, 0, 0, differences, [])


class VerificationsSuite:
    """Which result counts. A verification that took long began long ago."""

    async def _known(self, verifications: Verifications) -> Known:
        return (await verifications.known([NAME]))[NAME]

    async def test_a_view_never_verified_has_no_differences_but_an_age(
        self, verifications: Verifications
    ) -> None:
        before = await verifications.known([NAME, OTHER])
        assert [one.differences for one in before.values()] == [None, None]
        await verifications.store(_found(0, OTHER), is_sample=False, seconds=0.0)
        after = await verifications.known([NAME, OTHER])
        assert after[NAME] == before[NAME]
        assert after[OTHER].differences == 0
        assert after[OTHER].unverified_since > before[OTHER].unverified_since

    async def test_differences_stay_until_the_whole_view_is_verified_again(
        self, verifications: Verifications
    ) -> None:
        await verifications.store(_found(3), is_sample=False, seconds=0.0)
        assert (await self._known(verifications)).differences == 3
        await verifications.store(_found(0), is_sample=True, seconds=0.0)
        assert (await self._known(verifications)).differences == 3
        await verifications.store(_found(0), is_sample=False, seconds=0.0)
        assert (await self._known(verifications)).differences == 0

    async def test_a_sample_tells_of_differences_and_never_of_their_end(
        self, verifications: Verifications
    ) -> None:
        await verifications.store(_found(0), is_sample=False, seconds=0.0)
        whole = await self._known(verifications)
        for differences in (0, 2, 0):
            await verifications.store(_found(differences), is_sample=True, seconds=0.0)
        assert await self._known(verifications) == Known(2, whole.unverified_since)
        await verifications.store(_found(1), is_sample=True, seconds=0.0)
        assert (await self._known(verifications)).differences == 1
        await verifications.store(_found(0), is_sample=False, seconds=0.0)
        assert (await self._known(verifications)).differences == 0

    async def test_a_whole_verification_that_began_before_a_sample_does_not_answer_it(
        self, verifications: Verifications
    ) -> None:
        await verifications.store(_found(2), is_sample=True, seconds=0.0)
        await verifications.store(_found(0), is_sample=False, seconds=60.0)
        assert (await self._known(verifications)).differences == 2

    @pytest.mark.parametrize("is_sample", [False, True])
    async def test_of_two_at_the_same_time_the_one_that_began_later_counts(
        self, verifications: Verifications, is_sample: bool
    ) -> None:
        await verifications.store(_found(1), is_sample=is_sample, seconds=0.0)
        await verifications.store(_found(5), is_sample=is_sample, seconds=60.0)
        assert (await self._known(verifications)).differences == 1

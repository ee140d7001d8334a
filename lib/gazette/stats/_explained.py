"""CUPED for ratios: the linearised ratio less what was known of units before."""

from __future__ import annotations

from dataclasses import dataclass

from gazette.stats._moments import Joint, Lacking, Moments, adjusted, linear, widened

__all__ = ["Explained", "Unknown", "adjusted_ratios"]


@dataclass(frozen=True)
class Unknown:
    """Units of one arm of whom nothing was known before: an indicator, 1 where nothing was.

    Attributes:
        share: Share of such units.
        with_first: Sample covariance of indicator and numerator.
        with_second: Of indicator and denominator.
        with_before: Of indicator and covariate.
        thirds: Mean products of the indicator's distance from its mean with those of two of numerator x, denominator y and covariate p:
            xx, xy, yy, xp, yp, pp; None where they were not kept.
    """

    share: float
    with_first: float
    with_second: float
    with_before: float
    thirds: tuple[float, float, float, float, float, float] | None = None


@dataclass(frozen=True)
class Explained:
    """A ratio's two values per unit of one arm, and a covariate from before.

    Attributes:
        ratio: Numerator and denominator.
        before: Moments of the covariate.
        with_first: Sample covariance of covariate and numerator.
        with_second: Of covariate and denominator.
        mixed: Mean products of three distances from the means of numerator x, denominator y and covariate p: xxp, xyp, yyp, xpp, ypp; None
            where they were not kept.
        lacking: Who lacks the covariate.
    """

    ratio: Joint
    before: Moments
    with_first: float
    with_second: float
    mixed: tuple[float, float, float, float, float] | None = None
    lacking: Unknown | None = None

    def linearised(self) -> Joint:
        """The unit's value of the ratio's linearisation (x - r y) / m, r the ratio and m the denominator's mean, beside the covariate."""
        found = linear(self.ratio)
        if found.variance == 0:  # what is left of covariances is their rounding
            return Joint(found, self.before, 0.0)
        r, m = found.mean, self.ratio.second.mean
        mixed = lacking = None
        if self.mixed is not None:
            xxp, xyp, yyp, xpp, ypp = self.mixed
            mixed = (xxp - 2 * r * xyp + r**2 * yyp) / m**2, (xpp - r * ypp) / m
        if (who := self.lacking) is not None:
            thirds = None
            if who.thirds is not None:
                xxl, xyl, yyl, xpl, ypl, ppl = who.thirds
                thirds = (xxl - 2 * r * xyl + r**2 * yyl) / m**2, (xpl - r * ypl) / m, ppl
            lacking = Lacking(who.share, (who.with_first - r * who.with_second) / m, who.with_before, thirds)
        return Joint(found, self.before, (self.with_first - r * self.with_second) / m, lacking, mixed)


def adjusted_ratios(control: Explained, treatment: Explained) -> tuple[Moments, Moments, float]:
    """CUPED of two ratios: :func:`adjusted` of their linearisations (Deng et al. 2013, appendix B; Deng et al. 2018).

    The difference of the arms is that of a least-squares regression of linearised values on arm, covariate and indicator. What the covariate
    leaves has the degrees of freedom of units of unequal size, as the ratio has.

    Returns:
        Control and treatment after adjustment, and the share of the variance that went.

    Raises:
        MomentsError: A second mean is 0.
    """
    left, right, saved = adjusted(control.linearised(), treatment.linearised())
    return widened(control.ratio, left), widened(treatment.ratio, right), saved

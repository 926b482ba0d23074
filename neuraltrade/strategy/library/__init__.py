"""Ready strategies, one file each."""

from .enhanced_momentum import EnhancedMomentum
from .ensemble import Ensemble
from .forecast import Forecast
from .market_making import MarketMaker
from .mean_reversion import MeanReversion
from .mirror import Mirror
from .momentum import Momentum
from .pairs import Pairs
from .trend import Trend

__all__ = [
    "EnhancedMomentum",
    "Ensemble",
    "Forecast",
    "MarketMaker",
    "MeanReversion",
    "Mirror",
    "Momentum",
    "Pairs",
    "Trend",
]

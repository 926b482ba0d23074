#include "nt_queue.h"

#include <math.h>

#include "nt_fixed.h"

static double weight(const nt_queue_model *model, int64_t quantity)
{
    double units = nt_double_from_nano(quantity);
    return model->share == NT_SHARE_LOG ? log1p(units) : pow(units, model->exponent);
}

int64_t nt_queue_after_change(const nt_queue_model *model, int64_t ahead, int64_t before, int64_t after, int64_t printed)
{
    if (ahead == NT_QUEUE_UNKNOWN || after <= 0)
        return after <= 0 ? 0 : nt_smaller(ahead, after);
    int64_t shrunk = before - after; /* both are at most 9e18, what was printed may be anything */
    int64_t left = shrunk > printed ? shrunk - printed : 0;
    if (model->kind == NT_QUEUE_PROBABILITY && left > 0 && ahead > 0) {
        int64_t behind = before - printed - ahead;
        int64_t gone = left;
        if (behind > 0) {
            double front = weight(model, ahead), back = weight(model, behind), both = front + back;
            double share = both > 0 && isfinite(both) ? front / both : 0;
            gone = (int64_t)floor(share * (double)left);
            if (left - gone > behind) /* no more left behind us than stood there */
                gone = left - behind;
        }
        ahead = gone < ahead ? ahead - gone : 0;
    }
    return nt_smaller(ahead, after);
}
